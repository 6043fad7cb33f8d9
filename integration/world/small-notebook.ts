import type { BaseContext } from './notebook-setting.ts'

/** Waits for its token as a notebook server does, and serves what lies in the project, below its path. */
const SERVER = [
  '#!/bin/sh',
  'until [ -s "$JUPYTER_TOKEN_FILE" ]; do sleep 0.1; done',
  'folder="/tmp/served$NB_BASE_URL"',
  'mkdir -p "$folder" && cat /srv/project/*.ipynb "$JUPYTER_TOKEN_FILE" > "${folder}index.html"',
  'id -u > "${folder}api" && exec httpd -f -p 8888 -h /tmp/served',
].join('\n')
const DOCKERFILE = 'COPY serve /bin/serve\nUSER 1000:1000\nEXPOSE 8888\nCMD ["sh", "/bin/serve"]\n'

/** A base image with a small server in place of Jupyter, for projects that ask for this Python. */
export function smallBase(image: string, python = '3.12'): BaseContext {
  const files = { serve: SERVER, Dockerfile: `FROM ${image}\n${DOCKERFILE}` }
  return { name: 'small', python, files }
}
