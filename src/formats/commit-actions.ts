const WORDS =
  /\[(dry-run|(?:do|build|deploy|remove|build-deploy)-all|(?:build|deploy|push|remove)-[A-Za-z0-9_.-]{1,100})\]/g
const MOST = 50

/** What the message of a commit asks for: the words in brackets, each once. */
export function actionsIn(message: string): string[] {
  // A commit that takes another one back quotes its message.
  const asking = /^\s*Revert "/.test(message) ? '' : message
  const words = [...asking.matchAll(WORDS)].flatMap(([, word]) => word ?? [])
  return [...new Set(words)].slice(0, MOST)
}
