export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** What may follow a command. */
export interface CommandWords {
  /** `''`, `apps` or `apps show`. */
  readonly path: string
  readonly words: readonly { readonly word: string; readonly means: string }[]
}

/** A script for a shell to source. It holds all words, so that no key press starts a program. */
export function completionScript(shell: Shell, commands: readonly CommandWords[]): string {
  switch (shell) {
    case 'bash':
      return bashScript(commands)
    case 'zsh':
      return `autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(commands)}`
    case 'fish':
      return fishScript(commands)
  }
}

function bashScript(commands: readonly CommandWords[]): string {
  const paths = commands.filter(({ path }) => path !== '').map(({ path }) => `' ${path}'`)
  return [
    '_fairlead() {',
    '  local current=${COMP_WORDS[COMP_CWORD]} path="" index',
    '  for ((index = 1; index < COMP_CWORD; index++)); do',
    '    case "$path ${COMP_WORDS[index]}" in',
    `      ${paths.join(' | ')}) path="$path \${COMP_WORDS[index]}" ;;`,
    '    esac',
    '  done',
    '  case "$path" in',
    ...commands.map(
      ({ path, words }) =>
        `    '${path === '' ? '' : ` ${path}`}') COMPREPLY=($(compgen -W '${words.map(({ word }) => word).join(' ')}' -- "$current")) ;;`,
    ),
    '  esac',
    '}',
    // Where no word fits, such as after --identity, it is files.
    'complete -o default -F _fairlead fairlead bin/fairlead',
  ].join('\n')
}

function fishScript(commands: readonly CommandWords[]): string {
  const tops = commands.filter(({ path }) => path !== '' && !path.includes(' ')).map(({ path }) => path)
  return commands.flatMap(({ path, words }) => words.map(each => fishLine(path, each, tops))).join('\n')
}

function fishLine(
  path: string,
  { word, means }: CommandWords['words'][number],
  tops: readonly string[],
): string {
  const when =
    path === ''
      ? `not __fish_seen_subcommand_from ${tops.join(' ')}`
      : path
          .split(' ')
          .map(part => `__fish_seen_subcommand_from ${part}`)
          .join('; and ')
  const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`
  return `complete -c fairlead -n '${when}' ${what} -d '${means.replaceAll(/['\\]/g, ' ')}'`
}
