import { HASH, LeafHash, sameHash } from "../../../verifiers/assembly/merkle";
import { CLOSE_BRACE, OPEN_BRACE } from "../../../verifiers/assembly/scan";
import { Root } from "./proof";
import { Room, Span } from "./room";
import { Strict } from "./strict";

/** wrongInfo says what is wrong with a result of search_info; empty where all that it says is what the root is the hash of. */
export function wrongInfo(at: usize, wanted: usize, room: Room): string {
  const r = new Strict(at, room);
  const said = room.take(HASH);
  const root = new Root();
  r.token(OPEN_BRACE);
  r.name("root");
  r.hash(said);
  r.next("about");
  r.hash(root.about);
  r.next("docs");
  root.documents = r.integer();
  r.next("terms");
  root.terms = r.integer();
  r.next("termsRoot");
  r.hash(root.termRoot);
  r.next("namesRoot");
  r.hash(root.nameRoot);
  r.next("textsRoot");
  r.hash(root.textRoot);
  const about = room.take(HASH);
  readAbout(r, about);
  r.token(CLOSE_BRACE);
  if (r.bad) return "other members than there should be";
  if (!sameHash(said, wanted)) return "another collection";
  return sameHash(about, root.about) && root.is(wanted) ? "" : "this is not what the root is the hash of";
}

/** readAbout reads what the collection is, and lays down its hash. */
function readAbout(r: Strict, to: usize): void {
  const names = ["analyzer", "scoring", "name", "corpus", "licence"];
  const hash = new LeafHash().begin();
  const text = new Span();
  for (let i = 0; i < names.length; i++) {
    r.next(names[i]);
    r.text(text);
    hash.sized(text.at, text.length);
  }
  hash.end(to);
}
