"""What can go wrong in the zoo."""


class RegistryError(Exception):
    """Base of the zoo's errors."""


class UnknownModelError(RegistryError, LookupError):
    """No installed plugin brings a model of that name."""


class PluginError(RegistryError):
    """A plugin does not keep its side of the contract."""


class DeviceError(RegistryError):
    """The device asked for does not exist on this machine."""


class CheckpointError(RegistryError):
    """A checkpoint's folder is not what its plugin says it is."""


class ChecksumError(CheckpointError):
    """A file of a checkpoint has other content than its plugin says."""


class NotEmbeddedError(CheckpointError):
    """The model's weights do not come with its distribution."""


class UnsafeWeightsError(CheckpointError):
    """Weights are offered only in formats that run code when they are read, such as pickles."""


class TransferError(RegistryError, ConnectionError):
    """The Hub cannot be reached, or breaks off, however often it is asked."""


class PushError(RegistryError):
    """What is to be pushed, or where to, does not allow it."""


class RegistryWarning(UserWarning):
    """An installed plugin is left out of the zoo, or a model may not be the latest one."""
