#include "Inherited.h"

#include <dcmtk/dcmdata/dcspchrs.h>
#include <dcmtk/dcmiod/modfor.h>
#include <dcmtk/dcmiod/modgeneralstudy.h>
#include <dcmtk/dcmiod/modpatient.h>
#include <dcmtk/dcmiod/modpatientstudy.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace {

struct Rule {
  OFString vm;
  bool is_required;
};

/// Returns DCMTK's rules of the inherited elements, in the order of tags.
std::map<DcmTagKey, Rule> inherited() {
  IODPatientModule patient;
  IODPatientStudyModule patient_study;
  IODGeneralStudyModule study;
  IODFoRModule frame_of_reference;
  std::map<DcmTagKey, Rule> rules;
  for (IODComponent *module : std::initializer_list<IODComponent *>{&patient, &patient_study, &study, &frame_of_reference})
    for (auto rule = module->getRules()->begin(); rule != module->getRules()->end(); ++rule)
      rules[rule->first] = {rule->second->getVM(), rule->second->getType() == "1"};
  rules[DCM_SpecificCharacterSet] = {"1-n", false};
  rules[DCM_SeriesInstanceUID] = {"1", true};
  return rules;
}

/// Tells whether text fits the character set that the file names.
bool is_in_character_set(DcmElement &element, DcmDataset &dataset) {
  if (!element.isAffectedBySpecificCharacterSet()) return true;
  OFString text, character_set, utf8;
  if (element.getOFStringArray(text).bad()) return false;
  if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 128; })) return true;
  dataset.findAndGetOFStringArray(DCM_SpecificCharacterSet, character_set);
  DcmSpecificCharacterSet converter;
  return !character_set.empty() && converter.selectCharacterSet(character_set).good() &&
         converter.convertString(text, utf8).good();
}

/// Returns the elements of an item. DCMTK would step over all earlier ones to reach one by its number.
std::vector<DcmElement *> elements(DcmItem &item) {
  std::vector<DcmElement *> found;
  for (DcmObject *next = item.nextInContainer(nullptr); next; next = item.nextInContainer(next))
    found.push_back(static_cast<DcmElement *>(next));
  return found;
}

/// Tells whether an element is valid, with all that a sequence holds. Too long text passes, as in DCMTK.
bool is_valid(DcmElement &element, const OFString &vm, DcmDataset &dataset) {
  if (auto *sequence = dynamic_cast<DcmSequenceOfItems *>(&element)) {
    for (DcmObject *item = sequence->nextInContainer(nullptr); item; item = sequence->nextInContainer(item))
      for (DcmElement *inner : elements(*static_cast<DcmItem *>(item)))
        if (!is_valid(*inner, "1-n", dataset)) return false;
    return true;
  }
  const OFCondition condition = element.checkValue(vm);
  if (condition.bad() && condition != EC_MaximumLengthViolated) return false;
  if (element.getTag() == DCM_SpecificCharacterSet) {
    OFString names;
    DcmSpecificCharacterSet converter;
    return element.getOFStringArray(names).good() && converter.selectCharacterSet(names).good();
  }
  return is_in_character_set(element, dataset);
}

std::string text_of(DcmElement &element) {
  OFString text;
  if (element.ident() == EVR_SQ || element.getOFStringArray(text).bad()) return "";
  return text.c_str();
}

bool is_valid_uid(const std::string &uid) {
  return !uid.empty() && DcmUniqueIdentifier::checkStringValue(uid.c_str(), "1").good();
}

}  // namespace

namespace cdicom {

std::string UIDs::valid(const std::string &uid) {
  if (is_valid_uid(uid)) return uid;
  for (const auto &[replacement, original] : originals)
    if (original == uid) return replacement;
  char replacement[100];
  dcmGenerateUniqueIdentifier(replacement);
  originals[replacement] = uid;
  return replacement;
}

void UIDs::restore(DcmDataset &dataset) const {
  if (originals.empty()) return;
  DcmStack stack;
  while (dataset.nextObject(stack, OFTrue).good()) {
    auto *element = dynamic_cast<DcmUniqueIdentifier *>(stack.top());
    if (!element) continue;
    const auto found = originals.find(text_of(*element));
    if (found != originals.end()) require(element->putString(found->second.c_str()));
  }
}

void keep_valid_elements(CDICOMFile &source, UIDs &uids) {
  DcmDataset &dataset = source.dataset();
  const std::map<DcmTagKey, Rule> rules = inherited();
  const DcmTagKey others[] = {DCM_Rows, DCM_Columns, DCM_SliceThickness, DCM_SeriesNumber};
  std::vector<DcmTagKey> left_out;
  for (DcmElement *next : elements(dataset)) {
    DcmElement &element = *next;
    const DcmTagKey key = element.getTag();
    if (std::find(std::begin(others), std::end(others), key) != std::end(others)) continue;
    const auto rule = rules.find(key);
    if (rule != rules.end() && is_valid(element, rule->second.vm, dataset)) continue;
    const std::string text = text_of(element);
    if (rule != rules.end() && element.ident() == EVR_UI && cdicom_is_uid(text.c_str()))
      require(element.putString(uids.valid(text).c_str()));
    else left_out.push_back(key);
  }
  for (const DcmTagKey &key : left_out) require(dataset.findAndDeleteElement(key));
}

}  // namespace cdicom

bool cdicom_is_uid(const char *uid) {
  return cdicom::guard(false, [&] {
    const std::string text = uid;
    std::string without_zeros;
    for (size_t index = 0; index < text.size(); ++index) {
      const bool begins = index == 0 || text[index - 1] == '.';
      const bool ends = index + 1 == text.size() || text[index + 1] == '.';
      // Zeros in a row go one by one, since each begins the rest of its part.
      if (text[index] == '0' && !ends && (begins || without_zeros.empty() || without_zeros.back() == '.')) continue;
      without_zeros += text[index];
    }
    return text.size() <= 64 && is_valid_uid(without_zeros);
  });
}

bool cdicom_next_fault(const CDICOMFile *source, uint32_t after, CDICOMFault *fault) {
  return cdicom::guard(false, [&] {
    DcmDataset &dataset = source->dataset();
    for (const auto &[key, rule] : inherited()) {
      const uint32_t tag = uint32_t(key.getGroup()) << 16 | key.getElement();
      if (tag <= after) continue;
      DcmElement *element = nullptr;
      const bool is_missing = dataset.findAndGetElement(key, element).bad() || element->getLength() == 0;
      if (is_missing ? !rule.is_required : is_valid(*element, rule.vm, dataset)) continue;
      const std::string value = is_missing ? "" : text_of(*element);
      *fault = CDICOMFault{};
      fault->tag = tag;
      fault->is_required = rule.is_required;
      fault->is_missing = is_missing;
      fault->is_kept = !is_missing && element->ident() == EVR_UI && cdicom_is_uid(value.c_str());
      std::strncpy(fault->keyword, DcmTag(key).getTagName(), sizeof fault->keyword - 1);
      std::strncpy(fault->value, value.c_str(), sizeof fault->value - 1);
      return true;
    }
    return false;
  });
}
