export interface NewBook {
  title: string;
  author: string;
  year: number | null;
}

export interface Book extends NewBook {
  id: number;
}

export class BookShelf {
  private books: Book[] = [];
  private nextId = 1;

  all(author?: string): Book[] {
    if (!author) return this.books;
    return this.books.filter((b) => b.author.toLowerCase().includes(author.toLowerCase()));
  }

  find(id: number): Book | undefined {
    return this.books.find((b) => b.id === id);
  }

  add(book: NewBook): Book {
    const added = { id: this.nextId++, ...book };
    this.books.push(added);
    return added;
  }
}
