"""Passes over finished datasets: near duplicates, people in two sets, wrong labels."""
