const list = document.querySelector('#todos');
const input = document.querySelector('#new');

function render(todos) {
  list.innerHTML = todos.map((t) => `<li data-id="${t.id}">${t.text}</li>`).join('');
}

async function load() {
  const response = await fetch('/api/todos');
  const todos = await response.json();
  render(todos);
}

document.querySelector('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  await fetch('/api/todos', { method: 'POST', body: JSON.stringify({ text: input.value }) });
  load();
});
load();
