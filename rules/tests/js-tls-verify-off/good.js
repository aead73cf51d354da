const a = new https.Agent({ ca });
