const A = ({ post }) => <div dangerouslySetInnerHTML={{ __html: post.body }} />;
