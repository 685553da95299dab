FROM busybox
RUN mkdir -p /d/sub && touch /d/old /d/sub/old
RUN rm -r /d && mkdir /d && touch /d/new
RUN rm /d/new && mkdir -p /d/new/inner
RUN rm -r /d/new && ln -s /tmp /d/new
