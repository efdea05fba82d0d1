"""Thin entry point for setuptools; everything is in setup.cfg."""

from setuptools import setup

setup()
