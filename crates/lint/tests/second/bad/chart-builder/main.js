const params = new URLSearchParams(window.location.search);
const config = params.get('config') || '{}';

function parse(text) {
  return eval('(' + text + ')');
}

const options = parse(config);
document.title = String(options.title || 'Chart');
