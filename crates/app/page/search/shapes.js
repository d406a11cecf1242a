// The shapes of pictures: learnt from their thumbnails before a row is laid out, so that nothing moves afterwards.
import { thumbnail } from '../api.js';

/** Wider or taller than this is cut; a panorama would take a whole row. */
const NARROWEST = 0.62;
const WIDEST = 2.1;
/** Own choice: longer than this nobody should wait for a shape; what is late is cut to a square. */
const PATIENCE_MS = 1500;

const shapes = new Map();

export const shapeOf = (id) => shapes.get(id) ?? 1;

function learn(id) {
  if (shapes.has(id)) return null;
  return new Promise((done) => {
    const image = new Image();
    image.onload = () => {
      const shape = image.naturalWidth / image.naturalHeight || 1;
      shapes.set(id, Math.min(WIDEST, Math.max(NARROWEST, shape)));
      done();
    };
    image.onerror = done;
    image.src = thumbnail(id);
  });
}

/** Waits until the shapes of these hits are known, or for as long as it may take. */
export function learnShapes(hits) {
  const all = Promise.all(hits.map((hit) => learn(hit.id)));
  return Promise.race([all, new Promise((done) => setTimeout(done, PATIENCE_MS))]);
}
