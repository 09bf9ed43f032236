"use strict";
// A Redis subscription as node-redis without an error handler: trouble ends the process.

const net = require("net");

function place(address) {
	if (address.startsWith("unix://")) return { path: address.slice("unix://".length) };
	const url = new URL(address);
	if (url.protocol !== "redis:") throw new Error(`Invalid protocol ${url.protocol}`);
	const login = url.password ? [decodeURIComponent(url.password)] : [];
	if (url.username && login.length) login.unshift(decodeURIComponent(url.username));
	return { host: url.hostname, port: Number(url.port || 6379), login };
}

function command(...words) {
	const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
	return `*${words.length}\r\n${parts.join("")}`;
}

function subscribe(address, channel, onMessage) {
	const target = place(address);
	const socket = net.connect(target);
	const start = Buffer.from(`*3\r\n$7\r\nmessage\r\n$${channel.length}\r\n${channel}\r\n$`);
	let pending = Buffer.alloc(0);
	socket.on("connect", () => {
		if (target.login && target.login.length) socket.write(command("AUTH", ...target.login));
		socket.write(command("SUBSCRIBE", channel));
	});
	socket.on("data", (data) => {
		if (data[0] === 0x2d) throw new Error(data.toString().trim());
		pending = Buffer.concat([pending, data]);
		for (let at = pending.indexOf(start); at >= 0; at = pending.indexOf(start)) {
			const begin = pending.indexOf("\r\n", at + start.length);
			const length = Number(pending.subarray(at + start.length, begin));
			if (begin < 0 || pending.length < begin + 4 + length) return;
			onMessage(pending.subarray(begin + 2, begin + 2 + length).toString());
			pending = pending.subarray(begin + 4 + length);
		}
	});
	socket.on("close", () => {
		throw new Error("Socket closed unexpectedly");
	});
}

module.exports = { subscribe };
