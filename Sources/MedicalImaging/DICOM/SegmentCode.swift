/// The SNOMED CT code of a segment: known names get the code of their structure, all others that of tissue.
struct SegmentCode: Equatable {
  struct Code: Equatable {
    let value: String
    let meaning: String
  }

  let category: Code
  let type: Code
  /// Left or right.
  let side: Code?

  init(of name: String) {
    let words = name.lowercased().split { !$0.isLetter }.map(String.init)
    let key = words.filter { $0 != "left" && $0 != "right" }.joined(separator: " ")
    guard let type = SegmentCode.types[key] else {
      (category, type, side) = (SegmentCode.tissue, SegmentCode.tissue, nil)
      return
    }
    self.type = type
    category = type == SegmentCode.neoplasm ? SegmentCode.abnormal : SegmentCode.anatomy
    let sides = [("left", SegmentCode.left), ("right", SegmentCode.right)].filter { words.contains($0.0) }
    side = sides.count == 1 ? sides[0].1 : nil
  }

  private static let tissue = Code(value: "85756007", meaning: "Tissue")
  private static let anatomy = Code(value: "91723000", meaning: "Anatomical Structure")
  private static let abnormal = Code(value: "49755003", meaning: "Morphologically Abnormal Structure")
  private static let neoplasm = Code(value: "108369006", meaning: "Neoplasm")
  private static let left = Code(value: "7771000", meaning: "Left")
  private static let right = Code(value: "24028007", meaning: "Right")

  /// Codes from pydicom's tables of DICOM's context groups.
  private static let types: [String: Code] = [
    "spleen": Code(value: "78961009", meaning: "Spleen"),
    "kidney": Code(value: "64033007", meaning: "Kidney"),
    "gallbladder": Code(value: "28231008", meaning: "Gallbladder"),
    "esophagus": Code(value: "32849002", meaning: "Esophagus"),
    "liver": Code(value: "10200004", meaning: "Liver"),
    "stomach": Code(value: "69695003", meaning: "Stomach"),
    "aorta": Code(value: "15825003", meaning: "Aorta"),
    "inferior vena cava": Code(value: "64131007", meaning: "Inferior vena cava"),
    "portal vein": Code(value: "32764006", meaning: "Portal vein"),
    "pancreas": Code(value: "15776009", meaning: "Pancreas"),
    "adrenal gland": Code(value: "23451007", meaning: "Adrenal gland"),
    "duodenum": Code(value: "38848004", meaning: "Duodenum"),
    "prostate": Code(value: "41216001", meaning: "Prostate"),
    "hippocampus": Code(value: "5366008", meaning: "Hippocampus"),
    "lung": Code(value: "39607008", meaning: "Lung"),
    "heart": Code(value: "80891009", meaning: "Heart"),
    "brain": Code(value: "12738006", meaning: "Brain"),
    "tumor": neoplasm, "tumour": neoplasm, "neoplasm": neoplasm,
  ]
}
