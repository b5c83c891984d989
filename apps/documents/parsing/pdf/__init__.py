"""PDF: words with boxes from PDFium, tables from ruled lines, reading order from the layout.

PDFium reads the text and draws the page image, so a marked passage stands where the reader sees it.
Measured on dense A4 pages it is about eight times as fast as pdfminer, and it rebuilds damaged files.
"""
