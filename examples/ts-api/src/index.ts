import express, { type Request, type Response } from "express";
import { BookShelf, type NewBook } from "./shelf";

const app = express();
const shelf = new BookShelf();
const port = Number(process.env.PORT) || 3001;

shelf.add({ title: "Frankenstein", author: "Mary Shelley", year: 1818 });
shelf.add({ title: "Moby-Dick", author: "Herman Melville", year: 1851 });

app.use(express.json());

app.get("/", (_req: Request, res: Response) => {
  res.json({ name: "Bookshelf API", endpoints: ["GET /books", "GET /books/:id", "POST /books"], books: shelf.all().length });
});

app.get("/books", (req: Request, res: Response) => {
  const author = typeof req.query.author === "string" ? req.query.author : undefined;
  res.json(shelf.all(author));
});

app.get("/books/:id", (req: Request<{ id: string }>, res: Response) => {
  const book = shelf.find(Number(req.params.id));
  if (!book) {
    res.status(404).json({ error: "Book not found" });
    return;
  }
  res.json(book);
});

app.post("/books", (req: Request<object, unknown, Partial<NewBook> | undefined>, res: Response) => {
  const { title, author, year } = req.body ?? {};
  if (!title || !author) {
    res.status(400).json({ error: "title and author are required" });
    return;
  }
  res.status(201).json(shelf.add({ title, author, year: year ?? null }));
});

app.listen(port, "0.0.0.0", () => {
  console.log(`Bookshelf API on http://0.0.0.0:${port}`);
});
