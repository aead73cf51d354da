'use server';
import { db } from './db';

export async function find(name: string) {
  return db.execute(`SELECT * FROM people WHERE name = '${name}'`);
}
