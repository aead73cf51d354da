import './style.css'
import { loadNotes } from './notes.js'

const form = document.querySelector('#form')
const list = document.querySelector('#notes')
const status = document.querySelector('#status')

function card(note) {
  const article = document.createElement('article')
  if (note.photo) {
    article.append(Object.assign(document.createElement('img'), { src: `/api/photos/${note.photo}`, alt: note.text }))
  }
  article.append(Object.assign(document.createElement('p'), { textContent: note.text }))
  const remove = Object.assign(document.createElement('button'), { textContent: 'Delete' })
  remove.onclick = async () => {
    await fetch(`/api/notes/${note.id}`, { method: 'DELETE' })
    refresh()
  }
  article.append(remove)
  return article
}

async function refresh() {
  try {
    const notes = await loadNotes()
    list.replaceChildren(...notes.map(card))
    status.textContent = notes.length ? '' : 'No notes yet.'
  } catch (error) {
    status.textContent = `Could not load notes: ${error.message}`
  }
}

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  const response = await fetch('/api/notes', { method: 'POST', body: new FormData(form) })
  if (!response.ok) return (status.textContent = (await response.json()).error)
  form.reset()
  refresh()
})

refresh()
