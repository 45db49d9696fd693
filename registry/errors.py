"""The errors and warnings of the zoo."""


class RegistryError(Exception):
    """Base of the zoo's errors."""


class UnknownModelError(RegistryError, LookupError):
    """No installed plugin brings a model of that name."""


class PluginError(RegistryError):
    """A plugin does not keep its side of the contract."""


class DeviceError(RegistryError):
    """The device asked for does not exist on this machine."""


class CheckpointError(RegistryError):
    """A checkpoint's folder differs from its plugin's description."""


class ChecksumError(CheckpointError):
    """A file of a checkpoint has other content than its plugin says."""


class NotEmbeddedError(CheckpointError):
    """The model's weights do not come with its distribution."""


class UnsafeWeightsError(CheckpointError):
    """Weights are offered only in formats that run code when they are read, such as pickles."""


class TransferError(RegistryError, ConnectionError):
    """The Hub cannot be reached, or breaks off, however often it is asked."""


class PushError(RegistryError):
    """A model, or the repository that it is pushed to, does not allow the push."""


class RegistryWarning(UserWarning):
    """An installed plugin is left out of the zoo, or a model may not be the latest."""
