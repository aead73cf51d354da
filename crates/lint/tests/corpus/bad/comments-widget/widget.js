async function load(postId) {
  const response = await fetch(`/api/posts/${postId}/comments`);
  const comments = await response.json();
  const html = comments.map((c) => `<div class="c"><h4>${c.author}</h4>${c.body}</div>`).join('');
  document.getElementById('comments').innerHTML = html;
}

load(document.body.dataset.post);
