const recipes = [
  { id: 1, emoji: "🍝", title: "Spaghetti aglio e olio", minutes: 15, ingredients: ["spaghetti", "6 cloves of garlic", "olive oil", "chilli", "parsley"], steps: ["Boil the pasta.", "Gently fry garlic and chilli.", "Toss with a ladle of pasta water."] },
  { id: 2, emoji: "🥞", title: "Sunday pancakes", minutes: 25, ingredients: ["200 g flour", "2 eggs", "300 ml milk", "butter"], steps: ["Whisk everything.", "Let it rest.", "Fry until golden."] },
  { id: 3, emoji: "🍲", title: "Red lentil soup", minutes: 30, ingredients: ["red lentils", "onion", "cumin", "lemon"], steps: ["Soften the onion with cumin.", "Add lentils and water, simmer.", "Blend and finish with lemon."] },
];
const root = document.getElementById("app");

const list = (query = "") => `
  <input type="search" placeholder="Search recipes…" value="${query}">
  <div class="grid">${recipes.filter((r) => r.title.toLowerCase().includes(query.toLowerCase())).map((r) => `
    <a class="card" href="/recipes/${r.id}" data-link><span>${r.emoji}</span><h2>${r.title}</h2><small>${r.minutes} min</small></a>`).join("")}
  </div>`;

const detail = (r) => `
  <p><a href="/" data-link>← All recipes</a></p>
  <h1>${r.emoji} ${r.title}</h1><p>${r.minutes} minutes</p>
  <h3>Ingredients</h3><ul>${r.ingredients.map((i) => `<li>${i}</li>`).join("")}</ul>
  <h3>Steps</h3><ol>${r.steps.map((s) => `<li>${s}</li>`).join("")}</ol>`;

function render() {
  const match = location.pathname.match(/^\/recipes\/(\d+)$/);
  const recipe = match && recipes.find((r) => r.id === Number(match[1]));
  if (location.pathname === "/") root.innerHTML = list();
  else root.innerHTML = recipe ? detail(recipe) : `<h1>🤷 Not found</h1><p><a href="/" data-link>Home</a></p>`;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-link]");
  if (!link) return;
  event.preventDefault();
  history.pushState({}, "", link.getAttribute("href"));
  render();
});
document.addEventListener("input", (event) => {
  if (event.target.type !== "search") return;
  root.innerHTML = list(event.target.value);
  const box = root.querySelector("input");
  box.focus();
  box.setSelectionRange(box.value.length, box.value.length);
});
addEventListener("popstate", render);
render();
