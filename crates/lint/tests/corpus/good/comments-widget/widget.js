const escape = (text) =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');

async function load(postId) {
  const response = await fetch(`/api/posts/${postId}/comments`);
  const comments = await response.json();
  const html = comments.map((c) => `<div class="c"><h4>${escape(c.author)}</h4>${escape(c.body)}</div>`).join('');
  document.getElementById('comments').innerHTML = html;
}

load(document.body.dataset.post);
