"""scikit-learn, which the estimators are built on, and advice where it is missing."""

from ..checks.packages import missing_package

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "sklearn":
        raise
    raise ModuleNotFoundError(
        missing_package("chainhead_plugin.estimators", "scikit-learn"),
        name=error.name,
    ) from error

__all__ = ["BaseEstimator", "ClassifierMixin", "RegressorMixin"]
