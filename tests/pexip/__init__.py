"""Tests of the Management Node client."""
