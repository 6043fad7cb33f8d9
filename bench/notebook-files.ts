export type Files = Readonly<Record<string, string>>

/** A notebook project whose one cell says the text. */
export function project(folder: string, text: string, settings = ''): Files {
  const cells = [{ cell_type: 'markdown', metadata: {}, source: [text] }]
  const metadata = { kernelspec: { name: 'python3', display_name: 'Python 3' } }
  return {
    [`${folder}/nb.yaml`]: settings,
    [`${folder}/analysis.ipynb`]: JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 }),
  }
}

/** Its one package in that version. */
export function requirements(folder: string, at: number): Files {
  return { [`${folder}/requirements.txt`]: `tiny==1.${at}\n` }
}
