import { useEffect, useState } from 'react';
import DOMPurify from 'dompurify';

type User = { name: string; bio: string };

export default function Bio({ id }: { id: string }) {
  const [user, setUser] = useState<User | null>(null);
  useEffect(() => {
    fetch(`/api/users/${encodeURIComponent(id)}`)
      .then((r) => r.json())
      .then(setUser);
  }, [id]);
  if (!user) return <p>Loading…</p>;
  const html = DOMPurify.sanitize(user.bio);
  return (
    <section>
      <h2>{user.name}</h2>
      <div dangerouslySetInnerHTML={{ __html: html }} />
    </section>
  );
}
