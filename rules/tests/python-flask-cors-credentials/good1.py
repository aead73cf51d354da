from flask_cors import CORS
CORS(app, origins=['https://a.example'], supports_credentials=True)
