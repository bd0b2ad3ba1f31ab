#include "Kinds.h"

#include "../Support.h"

namespace cdicom {

const std::vector<std::string> image_classes = {
    UID_CTImageStorage, UID_MRImageStorage, UID_PositronEmissionTomographyImageStorage,
    UID_SecondaryCaptureImageStorage, UID_ComputedRadiographyImageStorage,
    UID_DigitalXRayImageStorageForPresentation, UID_UltrasoundImageStorage, UID_XRayAngiographicImageStorage,
    UID_NuclearMedicineImageStorage, UID_EnhancedCTImageStorage, UID_EnhancedMRImageStorage,
    UID_EnhancedPETImageStorage};

const std::vector<const char *> uncompressed_syntaxes = {
    UID_LittleEndianExplicitTransferSyntax, UID_LittleEndianImplicitTransferSyntax,
    UID_BigEndianExplicitTransferSyntax};

const std::vector<const char *> compressed_syntaxes = {
    UID_RLELosslessTransferSyntax, UID_JPEGLSLosslessTransferSyntax, UID_JPEGLSLossyTransferSyntax,
    UID_JPEGProcess14SV1TransferSyntax, UID_JPEGProcess14TransferSyntax, UID_JPEGProcess1TransferSyntax,
    UID_JPEGProcess2_4TransferSyntax};

}  // namespace cdicom
