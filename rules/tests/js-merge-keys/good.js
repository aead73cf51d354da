function merge(a, b) { for (const k in b) { if (k === '__proto__') continue; merge(a[k], b[k]); } }
