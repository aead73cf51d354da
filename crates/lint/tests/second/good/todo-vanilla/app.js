const list = document.querySelector('#todos');
const input = document.querySelector('#new');

function render(todos) {
  list.replaceChildren(
    ...todos.map((t) => {
      const li = document.createElement('li');
      li.dataset.id = t.id;
      li.textContent = t.text;
      return li;
    }),
  );
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
