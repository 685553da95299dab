FROM busybox
COPY ["name with space.txt", "ünï.txt", "/names/"]
COPY *ame* /globbed/
COPY data/.hidden /
