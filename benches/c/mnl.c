/*
 * libmnl at work, as a worker of the live benches: it speaks the lines that src/worker.rs describes and reads of each
 * message what src/object.rs says. Compiled by `cargo xtask bench` where libmnl's headers are installed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

enum {
	BUFFER = 32 * 1024,
	/* As many as have room in the receive buffer if all are refused. */
	BATCH = 250,
	EVENT_BUFFER = 256 << 20,
	FIRST_ROUTE = 0x14000000,
	GATEWAY = 0x0a000002,
	LAST = 199,
};

struct tally {
	uint64_t items, sum;
	/* Stop after so many events; 0: at the last one. */
	uint64_t until;
};

static struct mnl_socket *sock;
static unsigned int port, sequence;
/* Of the calls below, these two ask for memory. */
static unsigned long allocations;
static char buffer[BUFFER] __attribute__((aligned(8)));

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void open_socket(unsigned int groups)
{
	sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (sock == NULL || mnl_socket_bind(sock, groups, MNL_SOCKET_AUTOPID) < 0)
		fail("socket");
	port = mnl_socket_get_portid(sock);
	allocations++;
}

static uint8_t last(const struct nlattr *attribute)
{
	uint16_t length = mnl_attr_get_payload_len(attribute);
	return length ? ((const uint8_t *)mnl_attr_get_payload(attribute))[length - 1] : 0;
}

static uint64_t read_route(const struct nlmsghdr *message)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	uint64_t sum = header->rtm_dst_len;
	struct nlattr *attribute;

	mnl_attr_for_each(attribute, message, sizeof(*header)) {
		switch (mnl_attr_get_type(attribute)) {
		case RTA_DST:
		case RTA_GATEWAY:
			sum += last(attribute);
			break;
		case RTA_OIF:
		case RTA_PRIORITY:
		case RTA_TABLE:
			sum += mnl_attr_get_u32(attribute);
			break;
		}
	}
	return sum;
}

static uint64_t read_link(const struct nlmsghdr *message)
{
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
	uint64_t sum = header->ifi_index;
	struct nlattr *attribute;

	mnl_attr_for_each(attribute, message, sizeof(*header)) {
		switch (mnl_attr_get_type(attribute)) {
		case IFLA_IFNAME: {
			const char *name = mnl_attr_get_str(attribute);
			size_t length = strlen(name);
			sum += length + (length ? (uint8_t)name[length - 1] : 0);
			break;
		}
		case IFLA_MTU:
			sum += mnl_attr_get_u32(attribute);
			break;
		case IFLA_ADDRESS:
			sum += last(attribute);
			break;
		}
	}
	return sum;
}

static uint64_t read_neighbour(const struct nlmsghdr *message)
{
	const struct ndmsg *header = mnl_nlmsg_get_payload(message);
	uint64_t sum = header->ndm_ifindex + header->ndm_state;
	struct nlattr *attribute;

	mnl_attr_for_each(attribute, message, sizeof(*header)) {
		switch (mnl_attr_get_type(attribute)) {
		case NDA_DST:
		case NDA_LLADDR:
			sum += last(attribute);
			break;
		}
	}
	return sum;
}

static int on_message(const struct nlmsghdr *message, void *data)
{
	struct tally *tally = data;

	tally->items++;
	switch (message->nlmsg_type) {
	case RTM_NEWROUTE:
		tally->sum += read_route(message);
		break;
	case RTM_NEWLINK:
		tally->sum += read_link(message);
		break;
	case RTM_NEWNEIGH:
		tally->sum += read_neighbour(message);
		break;
	}
	return MNL_CB_OK;
}

static int on_event(const struct nlmsghdr *message, void *data)
{
	struct tally *tally = data;
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);

	tally->items++;
	tally->sum += read_route(message);
	if (tally->until ? tally->items >= tally->until : header->rtm_protocol == LAST)
		return MNL_CB_STOP;
	return MNL_CB_OK;
}

static struct nlmsghdr *route_request(char *place, uint16_t type, uint16_t flags, uint32_t number)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(place);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	message->nlmsg_seq = ++sequence;
	header->rtm_family = AF_INET;
	header->rtm_dst_len = 32;
	if (type != RTM_GETROUTE) {
		header->rtm_table = RT_TABLE_MAIN;
		header->rtm_protocol = RTPROT_STATIC;
		header->rtm_type = RTN_UNICAST;
	}
	mnl_attr_put_u32(message, RTA_DST, htonl(FIRST_ROUTE + number));
	if (type == RTM_NEWROUTE)
		mnl_attr_put_u32(message, RTA_GATEWAY, htonl(GATEWAY));
	return message;
}

static void dump(const char *object, struct tally *tally)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	ssize_t length;
	int more = MNL_CB_OK;

	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	message->nlmsg_seq = ++sequence;
	if (strcmp(object, "link") == 0) {
		message->nlmsg_type = RTM_GETLINK;
		mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	} else if (strcmp(object, "route") == 0) {
		message->nlmsg_type = RTM_GETROUTE;
		((struct rtmsg *)mnl_nlmsg_put_extra_header(message, sizeof(struct rtmsg)))->rtm_family = AF_INET;
	} else {
		message->nlmsg_type = RTM_GETNEIGH;
		((struct ndmsg *)mnl_nlmsg_put_extra_header(message, sizeof(struct ndmsg)))->ndm_family = AF_INET;
	}
	if (mnl_socket_sendto(sock, message, message->nlmsg_len) < 0)
		fail("send");
	while (more == MNL_CB_OK) {
		length = mnl_socket_recvfrom(sock, buffer, sizeof(buffer));
		if (length < 0)
			fail("receive");
		more = mnl_cb_run(buffer, length, sequence, port, on_message, tally);
	}
	if (more < 0)
		fail("dump");
}

static void events(struct tally *tally)
{
	int more = MNL_CB_OK;

	while (more == MNL_CB_OK) {
		ssize_t length = mnl_socket_recvfrom(sock, buffer, sizeof(buffer));
		if (length < 0 && errno == ENOBUFS)
			continue;
		if (length < 0)
			fail("receive");
		more = mnl_cb_run(buffer, length, 0, 0, on_event, tally);
	}
	if (more < 0)
		fail("events");
}

static void look_up(unsigned int count, struct tally *tally)
{
	for (unsigned int number = 0; number < count; number++) {
		struct nlmsghdr *message = route_request(buffer, RTM_GETROUTE, 0, number);
		ssize_t length;

		if (mnl_socket_sendto(sock, message, message->nlmsg_len) < 0)
			fail("send");
		length = mnl_socket_recvfrom(sock, buffer, sizeof(buffer));
		if (length < 0 || mnl_cb_run(buffer, length, sequence, port, on_message, tally) < 0)
			fail("look-up");
	}
}

static void change(uint16_t type, unsigned int count, struct tally *tally)
{
	/* A batch holds one message more than its limit. */
	static char place[2 * BUFFER] __attribute__((aligned(8)));
	uint16_t flags = type == RTM_NEWROUTE ? NLM_F_CREATE : 0;

	for (unsigned int number = 0; number < count;) {
		unsigned int end = number + BATCH < count ? number + BATCH : count;
		struct mnl_nlmsg_batch *batch = mnl_nlmsg_batch_start(place, BUFFER);
		ssize_t length;

		allocations++;
		for (; number < end; number++) {
			uint16_t acknowledge = number + 1 == end ? NLM_F_ACK : 0;
			route_request(mnl_nlmsg_batch_current(batch), type, flags | acknowledge, number);
			mnl_nlmsg_batch_next(batch);
			tally->items++;
		}
		if (mnl_socket_sendto(sock, mnl_nlmsg_batch_head(batch), mnl_nlmsg_batch_size(batch)) < 0)
			fail("send");
		mnl_nlmsg_batch_stop(batch);
		length = mnl_socket_recvfrom(sock, buffer, sizeof(buffer));
		if (length < 0 || mnl_cb_run(buffer, length, 0, port, NULL, NULL) < 0)
			fail("change");
	}
}

static double seconds(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

/* KiB of a line of /proc/self/status. */
static long memory(const char *name)
{
	char line[256];
	long value = 0;
	FILE *status = fopen("/proc/self/status", "r");

	while (status != NULL && fgets(line, sizeof(line), status) != NULL)
		if (strncmp(line, name, strlen(name)) == 0)
			value = atol(line + strlen(name) + 1);
	if (status != NULL)
		fclose(status);
	return value;
}

static void go(const char *task, const char *argument, struct tally *tally)
{
	if (strcmp(task, "dump") == 0) {
		dump(argument, tally);
	} else if (strcmp(task, "dump-once") == 0) {
		mnl_socket_close(sock);
		open_socket(0);
		dump(argument, tally);
	} else if (strcmp(task, "drain") == 0 || strcmp(task, "follow") == 0) {
		events(tally);
	} else if (strcmp(task, "look-up") == 0) {
		look_up(strtoul(argument, NULL, 10), tally);
	} else if (strcmp(task, "add") == 0) {
		change(RTM_NEWROUTE, strtoul(argument, NULL, 10), tally);
	} else if (strcmp(task, "delete") == 0) {
		change(RTM_DELROUTE, strtoul(argument, NULL, 10), tally);
	} else {
		fprintf(stderr, "no task is named %s\n", task);
		exit(1);
	}
}

static void prepare(const char *task)
{
	int size = EVENT_BUFFER;

	if (strcmp(task, "drain") != 0 && strcmp(task, "follow") != 0)
		return;
	mnl_socket_close(sock);
	open_socket(RTMGRP_IPV4_ROUTE);
	setsockopt(mnl_socket_get_fd(sock), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
}

/* mnl TASK [ARGUMENT]: serves lines. mnl TASK ARGUMENT TIMES: does the task so often, without talking until the end. */
int main(int count, char **words)
{
	const char *task = count > 1 ? words[1] : "";
	const char *argument = count > 2 ? words[2] : "0";
	long idle = memory("VmHWM");
	char line[64];

	open_socket(0);
	if (count > 3) {
		for (int times = atoi(words[3]); times > 0; times--) {
			struct tally tally = { 0, 0, 0 };

			allocations = 0;
			go(task, argument, &tally);
		}
		printf("allocations=%lu memory=%ld\n", allocations, memory("VmHWM") - idle);
		return 0;
	}
	while (fgets(line, sizeof(line), stdin) != NULL) {
		struct tally tally = { 0, 0, strtoull(argument, NULL, 10) };
		double wall, processor;

		if (strcmp(line, "prepare\n") == 0) {
			prepare(task);
			puts("ready");
			fflush(stdout);
			continue;
		}
		allocations = 0;
		wall = seconds(CLOCK_MONOTONIC);
		processor = seconds(CLOCK_PROCESS_CPUTIME_ID);
		go(task, argument, &tally);
		printf("wall=%.9f processor=%.9f items=%llu sum=%llu allocations=%lu\n",
		       seconds(CLOCK_MONOTONIC) - wall, seconds(CLOCK_PROCESS_CPUTIME_ID) - processor,
		       (unsigned long long)tally.items, (unsigned long long)tally.sum, allocations);
		fflush(stdout);
	}
	printf("memory=%ld\n", memory("VmHWM") - idle);
	return 0;
}
