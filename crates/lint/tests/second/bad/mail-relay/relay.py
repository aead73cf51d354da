import smtplib
import ssl

def connect(host):
    context = ssl._create_unverified_context()
    server = smtplib.SMTP(host, 587)
    server.starttls(context=context)
    return server
