const o = new OpenAI({ apiKey: k, dangerouslyAllowBrowser: true });
