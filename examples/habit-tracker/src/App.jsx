import { useEffect, useMemo, useState } from 'react'

const TITLE = import.meta.env.VITE_TITLE || 'Habit Tracker'
const STARTERS = [
  { id: 1, emoji: '💧', name: 'Drink water', days: {} },
  { id: 2, emoji: '📚', name: 'Read 10 pages', days: {} },
  { id: 3, emoji: '🚶', name: 'Walk outside', days: {} },
]

const key = (date) => date.toLocaleDateString('sv')

function lastDays(count) {
  return Array.from({ length: count }, (_, i) => {
    const date = new Date()
    date.setDate(date.getDate() - (count - 1 - i))
    return date
  })
}

function streak(habit) {
  let length = 0
  const date = new Date()
  if (!habit.days[key(date)]) date.setDate(date.getDate() - 1)
  while (habit.days[key(date)]) {
    length += 1
    date.setDate(date.getDate() - 1)
  }
  return length
}

function Habit({ habit, week, onToggle, onRemove }) {
  const current = streak(habit)
  return (
    <li className="habit">
      <span className="emoji">{habit.emoji}</span>
      <div className="name">
        <strong>{habit.name}</strong>
        <small>{current > 0 ? `🔥 ${current} day streak` : 'Start today!'}</small>
      </div>
      <div className="days">
        {week.map((date) => (
          <button
            key={key(date)}
            className={habit.days[key(date)] ? 'day done' : 'day'}
            title={key(date)}
            onClick={() => onToggle(habit.id, key(date))}
          >
            {date.toLocaleDateString('en', { weekday: 'narrow' })}
          </button>
        ))}
      </div>
      <button className="remove" aria-label={`Remove ${habit.name}`} onClick={() => onRemove(habit.id)}>×</button>
    </li>
  )
}

export default function App() {
  const [habits, setHabits] = useState(() => JSON.parse(localStorage.getItem('habits')) ?? STARTERS)
  const [name, setName] = useState('')
  const week = useMemo(() => lastDays(7), [])

  useEffect(() => localStorage.setItem('habits', JSON.stringify(habits)), [habits])

  const toggle = (id, day) =>
    setHabits((all) => all.map((h) => (h.id === id ? { ...h, days: { ...h.days, [day]: !h.days[day] } } : h)))

  const add = (event) => {
    event.preventDefault()
    if (!name.trim()) return
    setHabits((all) => [...all, { id: Date.now(), emoji: '✨', name: name.trim(), days: {} }])
    setName('')
  }

  return (
    <main>
      <h1>{TITLE}</h1>
      <ul>
        {habits.map((habit) => (
          <Habit
            key={habit.id}
            habit={habit}
            week={week}
            onToggle={toggle}
            onRemove={(id) => setHabits((all) => all.filter((h) => h.id !== id))}
          />
        ))}
      </ul>
      <form onSubmit={add}>
        <input value={name} onChange={(e) => setName(e.target.value)} placeholder="A new habit…" />
        <button>Add</button>
      </form>
    </main>
  )
}
