import { useEffect, useState } from 'react';

type User = { name: string; bio: string };

export default function Bio({ id }: { id: string }) {
  const [user, setUser] = useState<User | null>(null);
  useEffect(() => {
    fetch(`/api/users/${encodeURIComponent(id)}`)
      .then((r) => r.json())
      .then(setUser);
  }, [id]);
  if (!user) return <p>Loading…</p>;
  return (
    <section>
      <h2>{user.name}</h2>
      <div dangerouslySetInnerHTML={{ __html: user.bio }} />
    </section>
  );
}
