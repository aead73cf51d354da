import ftplib
f = ftplib.FTP('h')
