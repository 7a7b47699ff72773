"""What we show: executed notebooks as offline HTML reports."""
