const params = new URLSearchParams(window.location.search);
const config = params.get('config') || '{}';

function parse(text) {
  return JSON.parse(text);
}

const options = parse(config);
document.title = String(options.title || 'Chart');
