const express = require('express');
const app = express();

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeHtml(text) {
  return String(text).replace(/[&<>"]/g, (c) => ENTITIES[c]);
}

function layout(title, body) {
  return `<!doctype html><html><head><title>${title}</title></head><body>${body}</body></html>`;
}

app.get('/search', (req, res) => {
  const term = req.query.q || '';
  const body = `<h1>Results for ${escapeHtml(term)}</h1><p>Nothing found.</p>`;
  res.send(layout('Search', body));
});

app.listen(3000);
