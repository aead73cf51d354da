from Crypto.Cipher import AES
c = AES.new(k, AES.MODE_GCM)
