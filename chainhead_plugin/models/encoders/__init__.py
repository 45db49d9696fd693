"""What models on an encoder of audio, series or videos have beyond others.

May import what `models/` may.
"""
