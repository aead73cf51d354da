// Loads all notes, newest first
export async function loadNotes() {
  const response = await fetch('http://localhost:5000/api/notes')
  if (!response.ok) throw new Error(`HTTP ${response.status}`)
  return response.json()
}
