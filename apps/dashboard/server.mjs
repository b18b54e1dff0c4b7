import http from 'node:http';
import next from 'next';

/** The built dashboard on 127.0.0.1:PORT, in one process that ends with its parent: `next start` would outlive a killed one. */
const hostname = '127.0.0.1';
const port = Number(process.env.PORT);
if (!Number.isInteger(port)) throw new Error('PORT is missing: the dashboard is started by `cxr-lens serve` or `npm run demo`.');

const stop = () => process.exit(0);
// Before anything is awaited; a parent that ended even earlier has closed the channel.
if (process.connected) process.once('disconnect', stop);
else if (process.env.CXR_CHILD === '1') stop();
process.once('SIGTERM', stop);
process.once('SIGINT', stop);

const app = next({ dev: false, dir: import.meta.dirname, hostname, port });
await app.prepare();
const server = http.createServer(app.getRequestHandler());
server.listen(port, hostname);
