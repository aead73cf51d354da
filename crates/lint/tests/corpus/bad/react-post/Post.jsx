import { useEffect, useState } from 'react';

export default function Post({ id }) {
  const [post, setPost] = useState(null);
  useEffect(() => {
    fetch('/api/posts/' + id).then((r) => r.json()).then(setPost);
  }, [id]);
  if (!post) return <p>Loading</p>;
  return (
    <article>
      <h1>{post.title}</h1>
      <div dangerouslySetInnerHTML={{ __html: post.html }} />
    </article>
  );
}
