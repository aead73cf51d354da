import { useEffect, useState } from 'react';
import DOMPurify from 'dompurify';

export default function Post({ id }) {
  const [post, setPost] = useState(null);
  useEffect(() => {
    fetch('/api/posts/' + id).then((r) => r.json()).then(setPost);
  }, [id]);
  if (!post) return <p>Loading</p>;
  return (
    <article>
      <h1>{post.title}</h1>
      <div dangerouslySetInnerHTML={{ __html: DOMPurify.sanitize(post.html) }} />
    </article>
  );
}
