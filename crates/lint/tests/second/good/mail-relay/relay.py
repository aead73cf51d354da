import smtplib
import ssl

def connect(host):
    context = ssl.create_default_context()
    server = smtplib.SMTP(host, 587)
    server.starttls(context=context)
    return server
