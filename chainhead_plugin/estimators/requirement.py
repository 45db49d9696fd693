"""scikit-learn, which the estimators are built on, and advice where it is missing."""

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "sklearn":
        raise
    raise ModuleNotFoundError(
        'chainhead_plugin.estimators needs scikit-learn: pip install "chainhead-plugin[train]"',
        name=error.name,
    ) from error

__all__ = ["BaseEstimator", "ClassifierMixin", "RegressorMixin"]
