import ftplib
f = ftplib.FTP_TLS('h')
