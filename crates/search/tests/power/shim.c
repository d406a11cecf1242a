/* Writes down what a program does to the files below one directory, in the order in which it happens.
 *
 * Loaded before the C library (LD_PRELOAD), it does each call and then appends one entry to a log. It is told by the
 * environment: POWER_ROOT is the directory, POWER_LOG the log, POWER_MARKS a file of which every write becomes a mark in
 * the log. Two marks are orders: "room N" lets files grow by N bytes more (-1: without end) before the disk is full, and
 * "fail-sync N" lets the Nth sync from then on fail (0: none). What is written through a writable mapping is not seen.
 *
 * Some programs rename without the C library. A filter of system calls sends those back to us as signals.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

enum kind { CREATE = 1, WRITE, SET_LEN, SYNC, RENAME, REMOVE, MAKE_DIR, LINK, MARK };

/* Entry of the log; followed by path, other path and data. All little endian. */
struct __attribute__((packed)) entry {
    uint8_t kind;
    uint32_t path, other;
    uint64_t offset, data;
};

static char root[PATH_MAX], marks[PATH_MAX];
static int journal = -1;
static long room = -1, failing_sync = 0;
/* Held for a call and its entry, so that the log has the order of the calls. */
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define BEGIN pthread_mutex_lock(&order)
#define END(result)                                                                                                    \
    do {                                                                                                               \
        int told = errno;                                                                                              \
        pthread_mutex_unlock(&order);                                                                                  \
        errno = told;                                                                                                  \
        return result;                                                                                                 \
    } while (0)

static void note(enum kind kind, const char *path, const char *other, uint64_t offset, const void *data, size_t len) {
    struct entry entry = {kind, strlen(path), strlen(other), offset, len};
    struct iovec parts[] = {
        {&entry, sizeof entry}, {(void *)path, entry.path}, {(void *)other, entry.other}, {(void *)data, len}};
    int told = errno;
    size_t whole = sizeof entry + entry.path + entry.other + len;
    if (syscall(SYS_writev, journal, parts, 4) != (long)whole) {
        _exit(97);
    }
    errno = told;
}

/* Whether a path is below the directory or the directory itself. */
static int is_below(const char *path) {
    size_t len = strlen(root);
    return len > 0 && strncmp(path, root, len) == 0 && (path[len] == '/' || path[len] == 0);
}

/* Name that an open file has now; empty if it has none any more. */
static const char *name_of(int fd, char name[PATH_MAX]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, name, PATH_MAX - 1);
    name[len > 0 ? len : 0] = 0;
    const char *gone = " (deleted)";
    if (len > (ssize_t)strlen(gone) && strcmp(name + len - strlen(gone), gone) == 0) {
        name[0] = 0;
    }
    return name;
}

/* A name as an absolute path, whether or not there is something of that name. */
static const char *resolve(int dir, const char *path, char whole[PATH_MAX]) {
    char joined[2 * PATH_MAX], above[PATH_MAX];
    if (path[0] == '/' || dir == AT_FDCWD) {
        snprintf(joined, sizeof joined, path[0] == '/' ? "%s" : "./%s", path);
    } else {
        snprintf(joined, sizeof joined, "%s/%s", name_of(dir, above), path);
    }
    for (size_t len = strlen(joined); len > 1 && joined[len - 1] == '/'; len--) {
        joined[len - 1] = 0;
    }
    char *last = strrchr(joined, '/');
    *last = 0;
    whole[0] = 0;
    if (realpath(last == joined ? "/" : joined, above) != NULL) {
        snprintf(whole, PATH_MAX, "%s/%s", strcmp(above, "/") == 0 ? "" : above, last + 1);
    }
    return whole;
}

static int open_noted(int dir, const char *path, int flags, mode_t mode) {
    char whole[PATH_MAX], name[PATH_MAX];
    struct stat before;
    BEGIN;
    int is_new = (flags & O_CREAT) && is_below(resolve(dir, path, whole)) && fstatat(dir, path, &before, 0) != 0;
    int fd = REAL(openat)(dir, path, flags, mode);
    if (fd >= 0 && (flags & (O_CREAT | O_TRUNC)) && is_below(name_of(fd, name))) {
        if (is_new) {
            note(CREATE, name, "", 0, "", 0);
        } else if (flags & O_TRUNC) {
            note(SET_LEN, name, "", 0, "", 0);
        }
    }
    END(fd);
}

/* The mode that follows the flags, where there is one. */
#define MODE                                                                                                           \
    va_list rest;                                                                                                      \
    va_start(rest, flags);                                                                                             \
    mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) ? va_arg(rest, mode_t) : 0;                                        \
    va_end(rest)

int open(const char *path, int flags, ...) {
    MODE;
    return open_noted(AT_FDCWD, path, flags, mode);
}
int openat(int dir, const char *path, int flags, ...) {
    MODE;
    return open_noted(dir, path, flags, mode);
}
int creat(const char *path, mode_t mode) { return open_noted(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int __open_2(const char *path, int flags) { return open_noted(AT_FDCWD, path, flags, 0); }
int __openat_2(int dir, const char *path, int flags) { return open_noted(dir, path, flags, 0); }
int open64(const char *path, int flags, ...) __attribute__((alias("open")));
int openat64(int dir, const char *path, int flags, ...) __attribute__((alias("openat")));
int creat64(const char *path, mode_t mode) __attribute__((alias("creat")));
int __open64_2(const char *path, int flags) __attribute__((alias("__open_2")));
int __openat64_2(int dir, const char *path, int flags) __attribute__((alias("__openat_2")));

static void obey(const char *data, size_t len) {
    char told[64] = {0};
    memcpy(told, data, len < sizeof told ? len : sizeof told - 1);
    sscanf(told, "room %ld", &room);
    sscanf(told, "fail-sync %ld", &failing_sync);
}

/* How much of a write there is room for; only what makes a file longer needs any. */
static size_t fitting(int fd, off_t offset, size_t len) {
    struct stat file;
    if (room < 0 || fstat(fd, &file) != 0 || offset + (off_t)len <= file.st_size) {
        return len;
    }
    off_t end = file.st_size + room;
    size_t fits = end > offset ? (size_t)(end - offset) : 0;
    fits = fits < len ? fits : len;
    room -= offset + (off_t)fits > file.st_size ? offset + (off_t)fits - file.st_size : 0;
    return fits;
}

/* Writes one piece, at a place or (-1) where the file stands. */
static ssize_t write_noted(int fd, const void *data, size_t len, off_t at) {
    char name[PATH_MAX];
    struct stat file;
    BEGIN;
    name_of(fd, name);
    if (marks[0] && strcmp(name, marks) == 0) {
        note(MARK, "", "", 0, data, len);
        obey(data, len);
        END((ssize_t)len);
    }
    int is_ours = is_below(name);
    off_t offset = at >= 0 ? at : is_ours ? lseek(fd, 0, SEEK_CUR) : 0;
    if (is_ours && (fcntl(fd, F_GETFL) & O_APPEND) && fstat(fd, &file) == 0) {
        offset = file.st_size;
    }
    size_t fits = is_ours ? fitting(fd, offset, len) : len;
    if (fits == 0 && len > 0) {
        errno = ENOSPC;
        END(-1);
    }
    ssize_t done = at >= 0 ? REAL(pwrite)(fd, data, fits, at) : REAL(write)(fd, data, fits);
    if (done > 0 && is_ours) {
        note(WRITE, name, "", offset, data, done);
    }
    END(done);
}

/* Writes several pieces one after another, as far as they go. */
static ssize_t write_all_noted(int fd, const struct iovec *parts, int count, off_t at) {
    ssize_t sum = 0;
    for (int i = 0; i < count; i++) {
        ssize_t done = write_noted(fd, parts[i].iov_base, parts[i].iov_len, at < 0 ? at : at + sum);
        if (done < 0) {
            return sum > 0 ? sum : done;
        }
        sum += done;
        if ((size_t)done < parts[i].iov_len) {
            break;
        }
    }
    return sum;
}

ssize_t write(int fd, const void *data, size_t len) { return write_noted(fd, data, len, -1); }
ssize_t pwrite(int fd, const void *data, size_t len, off_t at) { return write_noted(fd, data, len, at); }
ssize_t writev(int fd, const struct iovec *parts, int count) { return write_all_noted(fd, parts, count, -1); }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { return write_all_noted(fd, parts, count, at); }
ssize_t pwrite64(int fd, const void *data, size_t len, off_t at) __attribute__((alias("pwrite")));
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t at) __attribute__((alias("pwritev")));

/* Copies inside the kernel are refused; programs then read and write. */
ssize_t copy_file_range(int from, off_t *from_at, int to, off_t *to_at, size_t len, unsigned flags) {
    errno = ENOSYS;
    return -1;
}
ssize_t sendfile(int to, int from, off_t *at, size_t len) {
    errno = EINVAL;
    return -1;
}
ssize_t sendfile64(int to, int from, off_t *at, size_t len) __attribute__((alias("sendfile")));
int fallocate(int fd, int mode, off_t offset, off_t len) {
    errno = EOPNOTSUPP;
    return -1;
}
int fallocate64(int fd, int mode, off_t offset, off_t len) __attribute__((alias("fallocate")));
int posix_fallocate(int fd, off_t offset, off_t len) { return EOPNOTSUPP; }
int posix_fallocate64(int fd, off_t offset, off_t len) __attribute__((alias("posix_fallocate")));

int ftruncate(int fd, off_t len) {
    char name[PATH_MAX];
    BEGIN;
    int result = REAL(ftruncate)(fd, len);
    if (result == 0 && is_below(name_of(fd, name))) {
        note(SET_LEN, name, "", len, "", 0);
    }
    END(result);
}
int ftruncate64(int fd, off_t len) __attribute__((alias("ftruncate")));

static int sync_noted(int fd, int (*sync)(int)) {
    char name[PATH_MAX];
    BEGIN;
    int is_ours = is_below(name_of(fd, name));
    if (is_ours && failing_sync > 0 && --failing_sync == 0) {
        errno = EIO;
        END(-1);
    }
    int result = sync(fd);
    if (result == 0 && is_ours) {
        note(SYNC, name, "", 0, "", 0);
    }
    END(result);
}
int fsync(int fd) { return sync_noted(fd, REAL(fsync)); }
int fdatasync(int fd) { return sync_noted(fd, REAL(fdatasync)); }

/* The last argument is one that the call does not have: our filter lets pass what carries it. */
#define OURS 0x706f776572UL

static int rename_noted(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
    char old[PATH_MAX], new[PATH_MAX];
    BEGIN;
    resolve(from_dir, from, old);
    resolve(to_dir, to, new);
    int result = syscall(SYS_renameat2, from_dir, from, to_dir, to, flags, OURS);
    if (result == 0 && (is_below(old) || is_below(new))) {
        note(RENAME, old, new, 0, "", 0);
    }
    END(result);
}
int rename(const char *from, const char *to) { return rename_noted(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int a, const char *from, int b, const char *to) { return rename_noted(a, from, b, to, 0); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    return rename_noted(a, from, b, to, flags);
}

/* A call that has one name to tell of. */
#define NAMED(kind, dir, path, call)                                                                                   \
    char whole[PATH_MAX];                                                                                              \
    BEGIN;                                                                                                             \
    resolve(dir, path, whole);                                                                                         \
    int result = call;                                                                                                 \
    if (result == 0 && is_below(whole)) {                                                                              \
        note(kind, whole, "", 0, "", 0);                                                                               \
    }                                                                                                                  \
    END(result)

int unlink(const char *path) { NAMED(REMOVE, AT_FDCWD, path, REAL(unlink)(path)); }
int unlinkat(int dir, const char *path, int flags) { NAMED(REMOVE, dir, path, REAL(unlinkat)(dir, path, flags)); }
int rmdir(const char *path) { NAMED(REMOVE, AT_FDCWD, path, REAL(rmdir)(path)); }
int mkdir(const char *path, mode_t mode) { NAMED(MAKE_DIR, AT_FDCWD, path, REAL(mkdir)(path, mode)); }
int mkdirat(int dir, const char *path, mode_t mode) { NAMED(MAKE_DIR, dir, path, REAL(mkdirat)(dir, path, mode)); }

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
    char old[PATH_MAX], new[PATH_MAX];
    BEGIN;
    resolve(from_dir, from, old);
    resolve(to_dir, to, new);
    int result = REAL(linkat)(from_dir, from, to_dir, to, flags);
    if (result == 0 && is_below(new)) {
        note(LINK, old, new, 0, "", 0);
    }
    END(result);
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

#if defined(__x86_64__)
#define MACHINE AUDIT_ARCH_X86_64
#define ARGUMENT(n) (registers[(int[]){REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8}[n]])
#define RESULT registers[REG_RAX]
#elif defined(__aarch64__)
#define MACHINE AUDIT_ARCH_AARCH64
#define ARGUMENT(n) (registers[n])
#define RESULT registers[0]
#else
#error "tell this file how system calls are made on this machine"
#endif

/* Does a rename that did not come through us. */
static void on_trap(int signal, siginfo_t *info, void *context) {
#if defined(__x86_64__)
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
#else
    unsigned long long *registers = ((ucontext_t *)context)->uc_mcontext.regs;
#endif
    int told = errno, result;
#ifdef SYS_rename
    if (info->si_syscall == SYS_rename) {
        result = rename((const char *)ARGUMENT(0), (const char *)ARGUMENT(1));
    } else
#endif
    {
        unsigned flags = info->si_syscall == SYS_renameat2 ? (unsigned)ARGUMENT(4) : 0;
        result = rename_noted((int)ARGUMENT(0), (const char *)ARGUMENT(1), (int)ARGUMENT(2), (const char *)ARGUMENT(3), flags);
    }
    RESULT = result == 0 ? 0 : -errno;
    errno = told;
}

static void watch_renames(void) {
#ifdef SYS_rename
    const unsigned plain = SYS_rename;
#else
    const unsigned plain = SYS_renameat;
#endif
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 0, 6),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, plain, 5, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[5])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)OURS, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigaction(SIGSYS, &action, NULL);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        _exit(98);
    }
}

__attribute__((constructor)) static void start(void) {
    const char *log = getenv("POWER_LOG"), *below = getenv("POWER_ROOT"), *marked = getenv("POWER_MARKS");
    if (log == NULL || below == NULL || marked == NULL) {
        return;
    }
    journal = syscall(SYS_openat, AT_FDCWD, log, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    if (journal < 0) {
        _exit(96);
    }
    snprintf(marks, sizeof marks, "%s", marked);
    snprintf(root, sizeof root, "%s", below);
    watch_renames();
}
