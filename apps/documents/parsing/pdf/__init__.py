"""PDF: words with boxes from PDFium, tables from ruled lines, reading order from the layout.

PDFium reads the text and draws the page image, so a marked passage stands where the reader sees it. Reading a
dense A4 page takes about 25 ms, a third of what pdfminer needs for its words, and damaged files are repaired.
"""
