import os
KEY = os.environ['SECRET_KEY']
N = os.environ.get('SECRET_PATH', '')
