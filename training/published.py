"""What the published model is called and what it comes from."""

NAME = "chainhead-japanese-vowels"
TASK = "time-series-classification"
SUMMARY = "Which of nine speakers says /ae/, from 7 to 29 frames of 12 LPC cepstrum coefficients."
DATA = "Japanese Vowels (UCI Machine Learning Repository, doi:10.24432/C5NS47), CC BY 4.0, official split"
LICENSE = "cc-by-4.0"
SOURCE = (
    "Kudo, M., Toyama, J. and Shimbo, M. (1999). Japanese Vowels [Dataset]. UCI Machine Learning Repository. "
    "https://doi.org/10.24432/C5NS47. Licence: CC BY 4.0."
)
