"use strict";
// The stand-in for Frappe's realtime server: no packages, the same habits.
// It has no signal handlers, leaves its socket file behind, and dies with its Redis connection.

const crypto = require("crypto");
const fs = require("fs");
const http = require("http");
const path = require("path");
const { subscribe } = require("./realtime/redis");
const { frames, textFrame } = require("./realtime/websocket");

const bench = process.env.FRAPPE_BENCH_ROOT || path.resolve(__dirname, "..", "..");
const version = readVersion();
const conf = readConfig();
const clients = new Set();

function readVersion() {
	const text = fs.readFileSync(path.join(__dirname, "frappe", "__init__.py"), "utf8");
	return text.match(/__version__ = "(\d+)\.(\d+)/).slice(1).map(Number);
}

function since(major, minor) {
	return version[0] > major || (version[0] === major && version[1] >= minor);
}

function readConfig() {
	const found = { socketio_port: since(15, 0) ? 9000 : 3000 };
	for (const name of ["config.json", "sites/common_site_config.json"]) {
		const file = path.join(bench, name);
		const values = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file)) : {};
		for (const key of Object.keys(values)) {
			if (values[key]) found[key] = values[key];
		}
	}
	if (since(15, 0)) {
		found.redis_queue = process.env.FRAPPE_REDIS_QUEUE || found.redis_queue;
		found.redis_queue = found.redis_queue || "redis://127.0.0.1:11311";
		found.socketio_port = process.env.FRAPPE_SOCKETIO_PORT || found.socketio_port;
		found.socketio_uds = process.env.FRAPPE_SOCKETIO_UDS || found.socketio_uds;
	}
	if (!since(15, 46)) delete found.socketio_uds;
	return found;
}

function hostname(url) {
	if (!url) return undefined;
	return url.replace(/^[a-z]+:\/\//, "").split("/")[0].replace(/:\d+$/, "");
}

function refusal(request, originNeeded) {
	const origin = request.headers.origin;
	if (origin === undefined && !originNeeded) return null;
	return hostname(request.headers.host) === hostname(origin) ? null : "Invalid origin";
}

function hello(request) {
	return "0" + JSON.stringify({
		sid: crypto.randomBytes(10).toString("hex"),
		upgrades: ["websocket"],
		pingInterval: 25000,
		pingTimeout: 20000,
		site: request.headers["x-frappe-site-name"] || null,
		host: request.headers.host || null,
		origin: request.headers.origin || null,
		forwarded: request.headers["x-forwarded-for"] || null,
		pid: process.pid,
	});
}

function answer(response, status, text) {
	response.writeHead(status, { "Content-Type": "text/plain; charset=UTF-8" });
	response.end(text);
}

const server = http.createServer((request, response) => {
	const url = new URL(request.url, "http://any");
	if (!url.pathname.startsWith("/socket.io/")) return answer(response, 404, "Not Found");
	const polling = url.searchParams.get("transport") === "polling";
	if (!polling || !url.searchParams.get("EIO")) return answer(response, 400, "Bad request");
	const trouble = refusal(request, false);
	return trouble ? answer(response, 400, trouble) : answer(response, 200, hello(request));
});

server.on("upgrade", (request, socket) => {
	socket.on("error", () => clients.delete(socket));
	const trouble = refusal(request, true);
	const key = request.headers["sec-websocket-key"];
	if (trouble || !key) {
		const text = trouble || "Bad request";
		socket.end(`HTTP/1.1 400 Bad Request\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
		return;
	}
	const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	const accept = crypto.createHash("sha1").update(key + guid).digest("base64");
	socket.write(
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
			`Sec-WebSocket-Accept: ${accept}\r\n\r\n`
	);
	socket.write(textFrame(hello(request)));
	clients.add(socket);
	socket.on("close", () => clients.delete(socket));
	frames(socket, (text) => socket.write(textFrame(text)));
});

subscribe(since(15, 0) ? conf.redis_queue : conf.redis_socketio || "redis://localhost:12311", "events", (text) => {
	for (const client of clients) client.write(textFrame(text));
});

const where = conf.socketio_uds || conf.socketio_port;
server.listen(where, () => console.log("Realtime service listening on: ", where));
